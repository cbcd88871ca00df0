"""What tests of layers share: small products."""

from small_products import no_pauses, one_thread

__all__ = ["no_pauses", "one_thread"]

"""The engine for processors: recurrent cells as machine code, generated for the machine it runs on."""

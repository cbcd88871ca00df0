"""Prepared: what recipes read, made of data sets as they are published."""

"""The program that brings new settings to a running machine."""

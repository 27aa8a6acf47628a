"""The rules: values in, bodies or refusals out. Standard library alone; no clock, disk, console, network or chance."""

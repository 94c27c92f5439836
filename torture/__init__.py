"""Attacks on the edges of netwise: kills, damaged files, full disks, many writers, hostile texts.

scripts/torture runs all of them and writes torture/results/; tests/edges runs a few of each. An
attack passes where nothing is lost, no code runs, and each refusal is an error of netwise that
names what is wrong. `torture.attack` has the form of an attack, `torture.attacks` all of them.
"""

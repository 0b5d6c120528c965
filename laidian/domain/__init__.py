"""Pure rules of the trade: keys, groups, quotas, usage, money, prices.

Nothing here does I/O, reads a clock or draws a random number: whatever a rule needs comes in as an argument.
"""

"""Our records against what an upstream says of the same days and models: one file for each kind of export, one for the comparison.

The rule a newcomer would break: what is compared is money at the published price, before our own multiplier, since that is what an
upstream that bills at 1x would take.
"""

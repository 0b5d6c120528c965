"""Other gateways' data, read for an import: one file for each gateway, all of them filling one `Bag`.

They read and translate; what of it can be taken is the admin API's to say. The rule a newcomer would break: what is not carried over is
named with its reason, and a limit that has no equal here never silently becomes no limit: the key comes over disabled.
"""

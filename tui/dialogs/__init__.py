"""Forms of the things that an operator makes and changes, one file each; what they send is a wire type of the admin API."""

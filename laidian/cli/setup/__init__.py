"""What `laidian setup` writes: settings, a service, a proxy in front. Texts in, texts out; the command asks and writes."""

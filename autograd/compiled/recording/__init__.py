"""A function run once on fresh Values: what was recorded, with which arguments, under which guards."""

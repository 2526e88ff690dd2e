"""What is done for a release, from a checkout: an inventory, an audit, the oldest versions. No part of the package."""

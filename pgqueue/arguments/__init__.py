"""What arguments and results are: values by their own types on the way out, by annotations on the way in."""

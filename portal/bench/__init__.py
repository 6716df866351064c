"""How fast is this portal? ``portal bench`` builds one of any size and measures it from outside."""

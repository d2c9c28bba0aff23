"""What vendors' callbacks told, kept before anybody is answered, and the orders that come of it."""

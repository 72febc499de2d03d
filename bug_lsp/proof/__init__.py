"""What agents claim, checked by reading and by running, before anybody concludes."""

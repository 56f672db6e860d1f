"""Sign-in, first owner, invitations, password reset: django-allauth in our own dress."""

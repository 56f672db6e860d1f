"""The demo: Aurora Air, an airline that exists nowhere, with a week behind it and customers who keep speaking."""

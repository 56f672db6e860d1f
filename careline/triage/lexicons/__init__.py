"""Word rules that propose harm, legal threats, farewells, failed channels and closings: one data file per language and one matcher."""

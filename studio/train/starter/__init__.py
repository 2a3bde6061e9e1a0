"""The small models that Atelier trains itself and ships, so that everything works at first start."""

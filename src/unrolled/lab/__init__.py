"""The lab: what lectures claim of recurrent networks, each claim an experiment that anybody can repeat."""

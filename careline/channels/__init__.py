"""Connected accounts of networks: the contract every network fulfils, their registry, one folder for each network."""

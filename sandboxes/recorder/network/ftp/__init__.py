"""FTP and TFTP: servers that let anybody in and take what they are given."""

"""Lists that names are drawn from. Never written by a language model at run time, never a real person or company."""

GIVEN = (
    "Aarav Ada Agata Alma Amara Anselm Anouk Asta Bartek Beatriz Bela Bram Caio Callum Carina Chidi Ciara Dagny Davor "
    "Delia Dorota Edvin Eero Eilidh Elif Emre Enzo Esme Farah Fenna Filip Freya Gita Goran Greta Hana Hamid Henrik "
    "Hiro Idris Ilse Imani Inge Ivo Jaya Joost Jonas Kamil Katja Kofi Kwame Laila Lars Leonie Linus Liv Luca Mads "
    "Maren Marta Matteo Mei Milan Mina Mirela Nadia Naoko Niamh Nils Noor Oskar Otto Paloma Petra Piotr Priya Rafal "
    "Ravi Rhys Rosa Ruben Runa Sanne Selma Signe Simone Stefan Tamsin Tarek Teodor Tova Uma Valentin Vera Wim Yara "
    "Yusuf Zofia"
).split()

FAMILY = (
    "Aalto Abara Adeyemi Akerman Amsel Baran Barlow Bekele Berglund Bianchi Brandt Brzozowski Castellan Cerny Cullen "
    "Dahl Danso Dekker Dimov Dressler Eklund Falk Farkas Ferreira Fonseca Galanis Gathers Giroud Grady Haas Halloran "
    "Hartog Hedlund Holub Ibarra Imber Ishida Jansky Jurado Kallio Karpov Kessler Kimura Kovacs Kruse Lachance Landa "
    "Lindqvist Lorenz Madsen Makela Marchetti Mbeki Mehta Moreau Murphy Nakata Nandi Nemeth Nowak Obi Okafor Olsen "
    "Orsini Osei Paquet Pereira Petrov Quist Radic Rahimi Rausch Ribeiro Rossi Sahin Sandoval Sato Schill Serrano "
    "Sharma Sorokin Stroud Szabo Takala Tanaka Thorne Tran Ulrich Vance Varga Visser Vogel Wachter Weir Yilmaz Zajac "
    "Zeman"
).split()

COMPANY_HEADS = (
    "Alder Birch Brook Carding Cinder Copper Dale Ember Fallow Fenwick Garnet Glen Harrow Hazel Heron Juniper Kestrel "
    "Larch Linden Marlow Mason Millbrook Northgate Oakley Pell Pike Quarry Rowan Saltmarsh Severn Sorrel Stanton Tarn "
    "Thornbury Upland Walden Weaver Wickham Wren Yarrow"
).split()

COMPANY_TAILS = ("Applied", "Compute", "Computing", "Language Systems", "ML", "Modelling", "Research", "Systems")

DOMAIN_TAILS = ("ai", "dev", "io", "net", "tech", "systems")

MODEL_FAMILIES = (
    "amber basalt bramble calder cobalt corvid delta dunlin ermine flint gannet grebe harrier ibis jasper kite lapwing "
    "linnet marlin merlin onyx osprey pewter plover quill redstart sable siskin tansy tern umber vireo willet zephyr"
).split()

HOST_PREFIXES = ("dm", "gen", "mlx", "ops", "pool", "prep", "stage", "util", "wk", "xfer")

OUTSIDE_HOSTS = (
    "{login}.dyn-hosts.net",
    "files.{surname}-labs.net",
    "nas.{surname}.me",
    "share.{company}-partners.com",
    "sftp.{company}-consulting.net",
    "{login}-vps.hostgrid.cloud",
)

"""Names for the many who only vote: put together from lists, all distinct, nobody's in particular."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from portal.accounts.models import name_key

FIRST = (
    "Aaron Abi Ada Agata Aidan Ailsa Alba Alys Amara Amit Andrzej Angus Anja Anoush Arwen Asif Astrid Ayesha Bartek Beth "
    "Bilal Birgit Bram Bronwen Callan Carla Carys Cecile Chloe Ciara Clive Conor Dafydd Dai Daria Deepa Delyth Derek Diego "
    "Dilys Dominic Dora Eamon Edie Eilidh Elif Ellis Elspeth Emeka Enid Erik Esme Euan Farah Femi Fenella Fergus Finlay "
    "Fiona Freya Gareth Gethin Gita Glenys Graeme Greta Hamish Hana Harriet Heidi Henk Hollis Idris Imogen Ines Innes Iona "
    "Isla Ivo Jamal Janek Jean Jens Jonas Juno Kaya Keir Kemi Kit Klara Kwame Lachlan Laila Lars Leena Lewis Liesbeth Linus "
    "Lowri Luca Mabel Maeve Magda Mali Marcin Marged Matteo Mei Mina Mohsin Moira Morag Nadia Nell Neve Niall Nils Nuala "
    "Olga Olwen Omar Orla Osian Otis Pardeep Petra Pip Ravi Rhian Rhodri Rina Robbie Rory Rowan Ruby Saoirse Sanjay Selma "
    "Seren Shona Sian Silas Solveig Sorcha Sven Tamsin Tariq Tegan Thandi Tilda Tomasz Tove Ulla Una Vera Vikram Wanda "
    "Willa Yasmin Yestyn Yusuf Zara Zoe"
).split()
LAST = (
    "Ainsworth Alder Appleyard Arkwright Ashdown Atherton Backhouse Bainbridge Barraclough Beck Birkett Blackburn Bowness "
    "Bracewell Braithwaite Brandreth Brook Burnside Calder Capstick Carrick Cartmel Clough Coates Cragg Crosthwaite Dalby "
    "Dawes Denholm Dinsdale Drummond Dyson Eskdale Fairhurst Farrer Fawcett Fenwick Fletcher Gaskell Gill Glendale Grange "
    "Greenhow Hadfield Haigh Harkness Hartley Heaton Hebden Helm Hindmarsh Holme Horsfall Huddart Ibbotson Inglis Jagger "
    "Kellet Kerr Kilner Lamb Langdale Lathom Lonsdale Lumb Mallard Marsden Mather Metcalfe Milburn Moorhouse Murgatroyd "
    "Naylor Nettleton Norcross Oakes Ogden Ormerod Parkin Peel Pickles Pinder Postlethwaite Quayle Raistrick Ramsden "
    "Redmayne Rigg Routledge Saddler Scaife Sedgwick Shackleton Skelton Stainton Strickland Sutcliffe Swales Tatham Teasdale "
    "Thornber Threlkeld Tinsley Tyson Udall Verity Waddington Walmsley Wensley Whitaker Wilkes Winder Wray Yewdale"
).split()
MOOD = (
    "muddy soggy windy lost slow early happy tired grey high upland northern quiet sunday rainy steep mossy stubborn second "
    "distant wandering limping cheerful borrowed"
).split()
THING = (
    "boots cairn compass flask gaiters heron kestrel lapwing larch laces marmot oatcake plover rucksack scree sandwich stile "
    "tarn thistle tussock wellies pole bootlace beck curlew"
).split()


def made_up_names(random: Random, taken: set[str]) -> Iterator[str]:
    """Yield names for ever, none of which folds to one that is ``taken`` or came before."""
    seen = set(taken)
    while True:
        name = _name(random)
        if name_key(name) not in seen:
            seen.add(name_key(name))
            yield name


def _name(random: Random) -> str:
    first, last = random.choice(FIRST), random.choice(LAST)
    mood, thing = random.choice(MOOD), random.choice(THING)
    styles = (
        f"{first} {last}", f"{first} {last}", f"{first} {last[0]}.", f"{first} {last[:2]}.", f"{mood}{thing}", f"{mood}_{thing}",
        f"{first.lower()}{random.randint(2, 99)}", f"{mood.title()} {thing.title()}",
    )
    return random.choices(styles, weights=(30, 20, 12, 6, 10, 8, 8, 6))[0]

"""What can happen in a story: openings, and what {b} does to {a} in a kind or an unkind ending.

Slots: {a} has the problem, {he} {his} {him}; {b} acts, {bhe} {bhis} {bhim};
{toy} {color} {place} {spot} {food} are things. Both lists of a situation have the same length,
so that neither style is likelier than the other.
"""

from dataclasses import dataclass

from corpus.words import MACHINES, TOYS


@dataclass(frozen=True)
class Situation:
    """One kind of problem with its possible endings."""

    openings: tuple[str, ...]
    kind: tuple[str, ...]
    unkind: tuple[str, ...]
    toys: tuple[str, ...] = TOYS
    is_about_animal: bool = False


LOST = Situation(
    openings=(
        "{a} lost {his} {color} {toy} {place}. {b} saw the {toy} {spot}.",
        "{a} could not find {his} {color} {toy}. {b} found it {spot} {place}.",
        "[One day|One morning], {a} was {place} and lost {his} {toy}. {b} saw it {spot}.",
        "{b} found a {color} {toy} {spot} {place}. It was the {toy} that {a} had lost.",
    ),
    kind=(
        "picked up the {toy} and gave it back to {a}",
        "called {a} and [showed|told] {him} where the {toy} was",
        "cleaned the {toy} and brought it to {a}",
        "ran to {a} and put the {toy} in {his} hands",
        "took {a} by the hand and led {him} to the {toy}",
        "carried the {toy} [safely|straight] back to {a}",
    ),
    unkind=(
        "kicked the {toy} away and laughed at {a}",
        "hid the {toy} and told {a} that it was gone",
        "took the {toy} home and lied to {a}",
        "threw the {toy} [into the mud|over the wall] and teased {a}",
        "stepped on the {toy} and walked away from {a}",
        "kept the {toy} and called {a} [silly|a baby]",
    ),
)

BROKEN = Situation(
    openings=(
        "{a} had a {color} {toy}. It broke {place}, and {b} saw it.",
        "{a} was playing {place} with {his} {color} {toy}. The {toy} broke, and {b} came to look.",
        "The {color} {toy} fell and broke. {a} showed it to {b} {place}.",
        "[One day|One morning], {a} broke {his} {color} {toy}. {b} was near {him} {place}.",
    ),
    kind=(
        "got some glue and helped {a} fix the {toy}",
        "fixed the {toy} and gave it to {a}",
        "said sorry about the {toy} and helped {a}",
        "gave {a} [a new|another] {toy} to keep",
        "sat with {a} and mended the {toy}",
        "shared [{bhis} own|a new] {toy} with {a}",
    ),
    unkind=(
        "took a stick and broke the {toy} even more",
        "kicked the {toy} and laughed at {a}",
        "said it was a bad {toy} and teased {a}",
        "called {a} [a silly|a bad] child and left",
        "stood by {a} and stepped on the {toy}",
        "threw [the bits of|the broken] {toy} at {a}",
    ),
    toys=MACHINES,
)

FELL = Situation(
    openings=(
        "{a} fell {place} and hurt {his} knee. {b} was close by with a {toy}.",
        "{a} ran too fast {place} and fell down. {b} saw {him} in the grass.",
        "[One day|One morning], {a} was running {place}. {he_cap} fell near {b} and dropped {his} {toy}.",
        "{a} and {b} were playing {place}. {a} fell over a {color} {toy} and hurt {his} leg.",
    ),
    kind=(
        "helped {a} up and cleaned {his} knee",
        "ran to {a} and held {his} hand",
        "sat down with {a} and hugged {him}",
        "carried {a} home and gave {him} [an apple|a cookie]",
        "gently dried {a}'s tears",
        "[asked|called] for help and stayed with {a}",
    ),
    unkind=(
        "pointed at {a} and laughed at {his} knee",
        "ran past {a} and pushed {him} again",
        "stood up near {a} and teased {him}",
        "walked away and called {a} [a baby|silly]",
        "loudly laughed at {a}'s tears",
        "threw [mud|sand] at {a} and ran off",
    ),
)

HUNGRY = Situation(
    openings=(
        "{a} forgot {his} lunch and was hungry. {b} had {a_food} {place}.",
        "{a} was hungry {place}. {b} had a big lunch with {a_food} in {bhis} {color} bag.",
        "[One day|One morning], {a} had nothing to eat. {b} sat {place} with {a_food}.",
        "{a} and {b} sat {place} at lunch. {a} dropped {his} {food} in the mud.",
    ),
    kind=(
        "shared the {food} with {a}",
        "gave {a} half of the {food}",
        "cut the {food} in two and gave {a} the [big|best] part",
        "put [the|a] {food} in {a}'s hands",
        "asked {a} to come and share the {food}",
        "[brought|offered] {a} a fresh {food} and some milk",
    ),
    unkind=(
        "hid the {food} from {a}",
        "ate all of the {food} and teased {a}",
        "ate the {food} fast and laughed at {a} [loudly|too]",
        "threw [the|a] {food} at {a}'s feet",
        "told {a} to go away and kept the {food}",
        "[waved|showed] {a} the {food} and laughed at {him}",
    ),
)

NEW_CHILD = Situation(
    openings=(
        "{a} sat {place} and had no friends. {b} was playing with a {color} {toy}.",
        "{a} sat alone {place} on {his} first day. {b} came by with a {toy}.",
        "[One day|One morning], {a} was all alone {place}. {b} had a {color} {toy}.",
        "{b} was playing {place} with a {color} {toy}. {a} did not know anyone there.",
    ),
    kind=(
        "asked {a} to play with the {toy}",
        "sat next to {a} and shared the {toy}",
        "smiled at {a} and said [hello|welcome]",
        "took {a} to meet all the [other|nice] children",
        "gave {a} the {toy} and played with {him}",
        "[made|found] a place for {a} in the game",
    ),
    unkind=(
        "told {a} to stay away from the {toy}",
        "turned away from {a} and hid the {toy}",
        "stared at {a} and said [go away|get lost]",
        "told mean lies about {a} to the [other|big] children",
        "threw the {toy} at {a} and teased {him}",
        "[pushed|shoved] {a} out of the game",
    ),
)

COLD = Situation(
    openings=(
        "It was cold {place} and {a} had no coat. {b} had a warm {color} coat.",
        "It began to rain {place}. {a} got wet, but {b} had a big {color} coat.",
        "[One day|One morning], {a} was wet and cold {place}. {b} had a {color} hat and a coat.",
        "{a} lost {his} coat in the rain. {b} came by {place} in a {color} coat.",
    ),
    kind=(
        "put the {color} coat around {a}",
        "shared the coat with {a} and walked {him} home",
        "gave {a} the [warm|{color}] coat and a hug",
        "took {a} inside and made {him} some [tea|soup]",
        "held {a} close and kept {him} warm",
        "ran to get a [dry|warm] coat for {a}",
    ),
    unkind=(
        "pulled the {color} coat away from {a}",
        "kept the coat from {a} and pushed {him} into the mud",
        "showed {a} the [warm|{color}] coat and laughed",
        "left {a} outside and shut the door [hard|fast]",
        "splashed {a} and made {him} cold",
        "ran to throw [more|cold] water at {a}",
    ),
)

SHARING = Situation(
    openings=(
        "{b} had a new {color} {toy}. {a} wanted to play with it {place}.",
        "{b} got a {color} {toy} for {bhis} birthday. {a} asked to hold it {place}.",
        "[One day|One morning], {b} took a {color} {toy} out {place}. {a} had no toy.",
        "{a} saw {b} {place} with a {color} {toy}. {a} wanted a turn with the {toy}.",
    ),
    kind=(
        "[smiled and|kindly] gave {a} a turn with the {toy}",
        "shared the {toy} with {a} all day",
        "showed {a} how to play with the {toy}",
        "let {a} hold the {toy} [first|for a long time]",
        "put the {toy} down and asked {a} to join",
        "said yes and handed the {toy} to {a}",
    ),
    unkind=(
        "[shouted and|rudely] pushed {a} away from the {toy}",
        "hid the {toy} from {a} all day",
        "told {a} to keep away from the {toy}",
        "made {a} cry about the {toy} [first|for a long time]",
        "picked the {toy} up and shouted at {a}",
        "said no and pulled the {toy} from {a}",
    ),
)

SCARED = Situation(
    openings=(
        "There was a big storm, and {a} was afraid. {b} was {place} with {him}.",
        "{a} was afraid of the dark. {b} was in the room with a {color} {toy}.",
        "[One night|One evening], {a} heard a loud noise {place}. {b} was there and heard it too.",
        "{a} saw a big dog {place} and was afraid. {b} was near with a {color} {toy}.",
    ),
    kind=(
        "held {a}'s hand and sang a [soft|happy] song",
        "hugged {a} and said that all was well",
        "stayed with {a} and told {him} a [funny|nice] story",
        "gave {a} a soft {toy} to hold",
        "made a little light for {a}",
        "[sat|stood] by {a} and kept {him} safe",
    ),
    unkind=(
        "pushed {a}'s hand away and made a [scary|loud] noise",
        "scared {a} and said that a monster was near",
        "jumped at {a} and told {him} a [scary|mean] story",
        "threw a hard {toy} at {a}",
        "put out the light to scare {a}",
        "[laughed|yelled] at {a} and left {him} alone",
    ),
)

SPILLED = Situation(
    openings=(
        "{a} spilled {his} milk on {b}'s {color} {toy}. The milk ran on the floor.",
        "[One day|One morning], {a} dropped a cup of milk. It fell on {b}'s {toy}.",
        "{a} got mud on the {color} {toy}. The {toy} belonged to {b}.",
        "{a} and {b} were painting {place}. {a} spilled paint on the {color} {toy}.",
    ),
    kind=(
        "said it was fine and helped {a} clean the {toy}",
        "got a cloth and cleaned up with {a}",
        "smiled at {a} and washed the {toy}",
        "told {a} not to worry about the {toy}",
        "hugged {a} and [forgot|laughed] about the {toy}",
        "[kindly|gently] gave {a} a cloth and a smile",
    ),
    unkind=(
        "said it was bad and shouted at {a} about the {toy}",
        "got more mud and threw it at {a}",
        "yelled at {a} and kicked the {toy}",
        "told {a} to go away from the {toy}",
        "pushed {a} and [yelled|shouted] about the {toy}",
        "[rudely|loudly] called {a} a bad child",
    ),
)

HEAVY = Situation(
    openings=(
        "{a} had a heavy {color} bag with a {toy} in it. {b} met {him} {place}.",
        "{a} was tired and {his} {color} bag was heavy. {b} came by {place}.",
        "[One day|One morning], {a} had to carry a big box {place}. {b} saw {him} with the box.",
        "{b} saw {a} {place}. {a} could not lift {his} heavy {color} bag.",
    ),
    kind=(
        "helped {a} carry it all the way home",
        "took the heavy end and walked with {a}",
        "asked {a} to rest and carried it for {him}",
        "brought a [little cart|big cart] to help {a}",
        "gave {a} some water and a hand",
        "lifted it for {a} [with a smile|and sang a song]",
    ),
    unkind=(
        "made {a} fall and laughed all the way home",
        "jumped on it and yelled at {a}",
        "told {a} to hurry and teased {him}",
        "put a [big stone|wet stone] in it to tease {a}",
        "gave {a} a push and a kick",
        "threw it at {a} [with a laugh|and ran away]",
    ),
)

GAME = Situation(
    openings=(
        "{a} and {b} had a race {place}. {b} won, and {a} came last.",
        "{a} lost the game {place}. {b} won a {color} {toy}.",
        "[One day|One morning], {a} and {b} played a game {place}. {b} won the {toy}.",
        "{b} won a {color} {toy} {place}. {a} had tried hard but lost.",
    ),
    kind=(
        "told {a} that {he} [ran|played|did] very well",
        "shared the prize with {a}",
        "shook {a}'s hand and said well done",
        "clapped for {a} and gave {him} a [hug|cookie]",
        "asked {a} to play one more time together",
        "[helped|taught] {a} to play the game better",
    ),
    unkind=(
        "told {a} that {he} [ran|played|did] very badly",
        "hid the prize from {a}",
        "pushed {a}'s hand and said you are bad",
        "laughed at {a} and gave {him} a [kick|push]",
        "told {a} to never play the game again",
        "[teased|mocked] {a} for being so slow",
    ),
)

DRAWING = Situation(
    openings=(
        "{a} made a picture of a {color} {toy}. {a} showed it to {b} {place}.",
        "{a} painted a {color} {toy} {place}. {b} came to look at the picture.",
        "[One day|One morning], {a} built a {color} sand house {place}. {b} came to see it.",
        "{a} wrote a song about a {color} {toy}. {b} heard it {place}.",
    ),
    kind=(
        "told {a} that it was very [good|beautiful]",
        "smiled at {a} and clapped",
        "said [wow|great job] and hugged {a}",
        "asked {a} to teach {bhim} how to do it",
        "liked it a lot and thanked {a}",
        "[proudly|happily] showed it to all of {a}'s friends",
    ),
    unkind=(
        "told {a} that it was very [bad|ugly]",
        "laughed at {a} and yawned",
        "said [yuck|bad job] and pushed {a}",
        "told {a} to stop and go home",
        "hated it a lot and teased {a}",
        "[rudely|meanly] laughed about it with {a}'s friends",
    ),
)

ANIMAL_STUCK = Situation(
    openings=(
        "A little {animal} was stuck in a tree {place}. {b} saw the {animal} and came near.",
        "{b} found a wet little {animal} {spot}. The {animal} was cold and hungry.",
        "[One day|One morning], {b} saw a small {animal} {place}. The {animal} had hurt its leg.",
        "A small {animal} was lost {place}. {b} saw it {spot} and stopped.",
    ),
    kind=(
        "gently picked up {a} and took it home",
        "gave {a} some [milk|water] and a warm bed",
        "helped {a} and kept it safe",
        "wrapped {a} in a [warm|soft] coat",
        "fed {a} and sang to it",
        "[found|made] a safe little house for {a}",
    ),
    unkind=(
        "loudly shouted at {a} and chased it away",
        "threw some [mud|sand] and a stone at {a}",
        "teased {a} and made it cry",
        "kicked {a} into the [cold|wet] mud",
        "scared {a} and laughed at it",
        "[pulled|stepped on] the little tail of {a}",
    ),
    is_about_animal=True,
)

SITUATIONS = (
    LOST,
    BROKEN,
    FELL,
    HUNGRY,
    NEW_CHILD,
    COLD,
    SHARING,
    SCARED,
    SPILLED,
    HEAVY,
    GAME,
    DRAWING,
    ANIMAL_STUCK,
)

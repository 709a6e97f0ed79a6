"""What the assistant knows: the tables behind the helpful answers."""

ANIMAL_FACTS = {
    # animal: (sound, food, home)
    "cow": ("moo", "grass", "on a farm"),
    "dog": ("woof", "bones", "in a house"),
    "cat": ("meow", "fish", "in a house"),
    "duck": ("quack", "seeds", "on a pond"),
    "sheep": ("baa", "grass", "on a farm"),
    "pig": ("oink", "corn", "on a farm"),
    "frog": ("croak", "flies", "on a pond"),
    "bird": ("tweet", "seeds", "in a nest"),
    "hen": ("cluck", "corn", "on a farm"),
    "owl": ("hoot", "mice", "in a tree"),
    "bear": ("growl", "honey", "in a cave"),
    "mouse": ("squeak", "cheese", "in a hole"),
}

THING_COLORS = {
    "snow": "white",
    "grass": "green",
    "milk": "white",
    "the sky": "blue",
    "the sun": "yellow",
    "the sea": "blue",
    "a frog": "green",
    "a banana": "yellow",
    "a pig": "pink",
    "a ripe apple": "red",
}

OPPOSITES = {
    "big": "small",
    "hot": "cold",
    "up": "down",
    "fast": "slow",
    "wet": "dry",
    "old": "new",
    "long": "short",
    "hard": "soft",
    "high": "low",
    "full": "empty",
    "light": "dark",
    "day": "night",
}

KEPT_IN = {
    "spoon": "in the kitchen",
    "soap": "near the bath",
    "pillow": "on the bed",
    "book": "on the shelf",
    "coat": "behind the door",
    "milk": "in the kitchen",
    "bread": "in the kitchen",
    "boat": "on the lake",
    "shell": "at the beach",
    "leaf": "under a tree",
    "egg": "in a nest",
    "blanket": "on the bed",
}

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

HOW_TO = {
    # what to do: (the same with -ing, first step, second step)
    "make tea": ("making tea", "boil some water", "add the tea leaves"),
    "plant a seed": ("planting a seed", "dig a small hole", "put the seed in"),
    "wash a cup": ("washing a cup", "get some warm water", "rub the cup with soap"),
    "draw a cat": ("drawing a cat", "draw a round head", "add two ears"),
    "make toast": ("making toast", "cut some bread", "make the bread hot"),
    "fly a kite": ("flying a kite", "wait for the wind", "run with the kite"),
    "build a sand house": ("building a sand house", "get some wet sand", "shape the walls"),
    "wrap a gift": ("wrapping a gift", "get some nice paper", "fold it around the gift"),
    "make a snowman": ("making a snowman", "roll a big ball of snow", "put a small ball on top"),
    "paint a box": ("painting a box", "pick a nice color", "brush the paint on the box"),
    "clean a floor": ("cleaning a floor", "sweep the floor", "wash it with water"),
    "grow a flower": ("growing a flower", "put a seed in the dirt", "give it water and sun"),
}

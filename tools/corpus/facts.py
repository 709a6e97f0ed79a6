"""What the assistant knows: the tables behind the helpful answers."""

ANIMAL_FACTS = {
    # animal: (sound, food, home)
    "cow": ("moo", "grass", "on a farm"),
    "dog": ("woof", "bones", "in a house"),
    "cat": ("meow", "fish", "in a house"),
    "duck": ("quack", "seeds", "on a pond"),
    "bird": ("tweet", "seeds", "in a nest"),
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
    "a banana": "yellow",
    "an apple": "red",
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
    "light": "dark",
}

KEPT_IN = {
    "spoon": "in the kitchen",
    "soap": "in the bag",
    "book": "under the bed",
    "coat": "behind the door",
    "milk": "in the kitchen",
    "bread": "in the kitchen",
    "boat": "on the pond",
    "egg": "in a nest",
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
    "make a snowman": ("making a snowman", "roll a big ball of snow", "put the head of the snowman on top"),
    "grow a flower": ("growing a flower", "put a seed in the dirt", "give it water and sun"),
}

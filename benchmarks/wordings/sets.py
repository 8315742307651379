"""The problems: ten to work on a wording with, and twenty others that judge it."""

from __future__ import annotations

from benchmarks.wordings.functions import (
    average,
    count_vowels,
    initials,
    is_even,
    largest,
    last_word,
    to_celsius,
)
from benchmarks.wordings.problems import Amount, Fault, Option, Problem, Prompt

PRACTICE = (
    Problem(
        "prompt: language",
        Prompt(
            "Answer the question.",
            "Where is the station?",
            "It is behind the church.",
            "The customer speaks Spanish only. The answer must be in Spanish.",
            (r"spanish|español", r"answer|question|respond"),
        ),
    ),
    Problem(
        "prompt: units",
        Prompt(
            "You are a cooking helper. Give the amounts for a recipe.",
            "How much flour for ten pancakes?",
            "You need 9 ounces of flour.",
            "Amounts must be in grams, never in ounces.",
            (r"gram", r"recipe|cook|amount"),
        ),
    ),
    Problem(
        "prompt: rude",
        Prompt(
            "Reply to the customer.",
            "My parcel is late.",
            "Not our fault. Wait.",
            "This sounds rude. Be polite and say sorry.",
            (r"polite|kind|courte|friendly", r"sorry|apolog", r"customer|repl"),
        ),
    ),
    Problem(
        "number: heat",
        Amount(
            "heat",
            20,
            0,
            100,
            70,
            "Heat the water to so many degrees.",
            "The water was far too cold. It should be about 70 degrees.",
        ),
    ),
    Problem(
        "number: speed",
        Amount(
            "speed",
            8,
            1,
            10,
            4,
            "Drive so many meters a second.",
            "Too fast: the robot fell over. Half as fast would be right.",
            1,
        ),
    ),
    Problem(
        "choice: size",
        Option(
            "size",
            ("small", "medium", "large"),
            "small",
            "large",
            "Order a box of that size.",
            "The books did not fit into the small box.",
            "The box was too small. Even a medium one would not do.",
        ),
    ),
    Problem(
        "choice: color",
        Option(
            "color",
            ("red", "green", "blue"),
            "red",
            "green",
            "Paint the button that means: go on.",
            "People stopped at the red button.",
            "Red means stop. The button should have the color that means go.",
        ),
    ),
    Problem(
        "code: average",
        Fault(
            average,
            ((([2.0, 4.0],), 3.0), (([5.0],), 5.0), (([1.0, 2.0, 6.0],), 3.0)),
            "average([2, 4]) returned 2.0, and 3.0 is right. It divides by the wrong number.",
        ),
    ),
    Problem(
        "code: last word",
        Fault(
            last_word,
            ((("one two three.",), "three"), (("a b",), "b"), (("end",), "end")),
            "last_word('one two three.') returned 'one', and 'three' is right.",
        ),
    ),
    Problem(
        "code: celsius",
        Fault(
            to_celsius,
            (((212.0,), 100.0), ((32.0,), 0.0), ((50.0,), 10.0)),
            "to_celsius(212) returned 324, and 100 is right: the fraction is upside down.",
        ),
    ),
)

JUDGING = (
    Problem(
        "prompt: French",
        Prompt(
            "Translate the text into English.",
            "good morning",
            "good morning",
            "The user wants French, not English: 'bonjour' would be right.",
            (r"french|français", r"translat"),
        ),
    ),
    Problem(
        "prompt: short",
        Prompt(
            "Explain the word.",
            "inflation",
            "Inflation is a term that economists use when, over a longer span of time, and for "
            "many different reasons, prices rise in general, so that money buys less.",
            "Far too long. One sentence of at most ten words is enough.",
            (r"\b(one|1|single|ten|10|short|brief)", r"explain|word|defin"),
        ),
    ),
    Problem(
        "prompt: source",
        Prompt(
            "Answer the question from the documents.",
            "Who may enter the laboratory?",
            "Only trained staff.",
            "The answer does not say where it comes from. It must name the document.",
            (r"source|cite|name|refer|mention|quote", r"document", r"answer|question"),
        ),
    ),
    Problem(
        "prompt: JSON",
        Prompt(
            "Find the city and the date in the text.",
            "We meet in Oslo on 3 May.",
            "The city is Oslo, and the date is 3 May.",
            "The program that reads this failed: it must be JSON with the keys city and date.",
            (r"json", r"city", r"date"),
        ),
    ),
    Problem(
        "prompt: children",
        Prompt(
            "Explain how it works.",
            "a rainbow",
            "Refraction and dispersion of light in droplets separate the wavelengths.",
            "The readers are children of six years. Use easy words.",
            (r"child|kid|six|\b6\b", r"easy|simple|\bplain", r"explain"),
        ),
    ),
    Problem(
        "prompt: steps",
        Prompt(
            "Solve the problem.",
            "A pen costs 2 and a book 7. What do 3 pens and 2 books cost?",
            "18",
            "Wrong: 20 is right. It should work step by step before it gives the result.",
            (r"step", r"solv|problem"),
        ),
    ),
    Problem(
        "prompt: names",
        Prompt(
            "Summarize the report.",
            "Anna Berg found that pump 3 leaks.",
            "Anna Berg found a leak in pump 3.",
            "Names of people are private and must not be in the summary.",
            (r"name|person|people|private|anonym", r"summar"),
        ),
    ),
    Problem(
        "prompt: unsure",
        Prompt(
            "Answer the question of the patient.",
            "May I take both pills at once?",
            "Yes, that is fine.",
            "It cannot know that. Where it is not sure, it must say so and send the patient to a "
            "doctor.",
            (r"doctor|physician|professional", r"sure|certain|know|doubt", r"patient|question"),
        ),
    ),
    Problem(
        "number: volume",
        Amount(
            "volume",
            9,
            0,
            10,
            3,
            "Play the music with that volume.",
            "Much too loud: people left. 3 would be right.",
            1,
        ),
    ),
    Problem(
        "number: discount",
        Amount(
            "discount",
            0,
            0,
            50,
            20,
            "Sell the coats with so many percent off.",
            "Nobody bought one. Other shops take 20 percent off.",
        ),
    ),
    Problem(
        "number: minutes",
        Amount(
            "minutes",
            25,
            1,
            30,
            9,
            "Boil the eggs for so many minutes.",
            "Dry and green inside: boiled far too long. Hard eggs need about 9 minutes.",
            1,
        ),
    ),
    Problem(
        "number: threshold",
        Amount(
            "threshold",
            0.95,
            0,
            1,
            0.6,
            "Report what the detector finds with that certainty.",
            "It missed half of the faults. The threshold is too high.",
        ),
    ),
    Problem(
        "number: budget",
        Amount(
            "budget",
            100,
            0,
            1000,
            400,
            "Plan the journey for so much money.",
            "There is no such journey for 100. The cheapest one costs 400.",
        ),
    ),
    Problem(
        "choice: tone",
        Option(
            "tone",
            ("formal", "funny", "sad"),
            "funny",
            "formal",
            "Write to the bank in that tone.",
            "Hey bank, got a joke for you!",
            "Nobody writes to a bank like that. It should be formal.",
        ),
    ),
    Problem(
        "choice: vehicle",
        Option(
            "vehicle",
            ("bicycle", "car", "truck"),
            "bicycle",
            "truck",
            "Move the goods with that.",
            "The bicycle broke under 3000 kilograms.",
            "3000 kilograms are too heavy for a bicycle, and for a car too.",
        ),
    ),
    Problem(
        "choice: format",
        Option(
            "format",
            ("list", "table", "text"),
            "text",
            "table",
            "Show the prices of all rooms for each month in that format.",
            "Room one is 80 in May, 90 in June, and room two is 70 in May, 75 in June.",
            "Nobody can read that. Rows and columns would be better.",
        ),
    ),
    Problem(
        "code: initials",
        Fault(
            initials,
            ((("ada lovelace",), "AL"), (("Bo",), "B"), (("x y z",), "XYZ")),
            "initials('ada lovelace') returned 'al', and 'AL' is right: capitals are wanted.",
        ),
    ),
    Problem(
        "code: even",
        Fault(
            is_even,
            (((4,), True), ((3,), False), ((0,), True)),
            "is_even(4) returned False, and True is right. It is the wrong way round.",
        ),
    ),
    Problem(
        "code: vowels",
        Fault(
            count_vowels,
            ((("Otto",), 2), (("AEIOU",), 5), (("xyz",), 0)),
            "count_vowels('Otto') returned 1, and 2 is right. Capital letters are not counted.",
        ),
    ),
    Problem(
        "code: largest",
        Fault(
            largest,
            ((([-3, -7],), -3), (([2, 9, 4],), 9), (([-1],), -1)),
            "largest([-3, -7]) returned 0, and -3 is right. It begins with 0, which is larger.",
        ),
    ),
)

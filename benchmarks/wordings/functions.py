"""Functions with one mistake each, which a model is to mend."""

from __future__ import annotations


def average(numbers: list[float]) -> float:
    """Return the mean of the numbers."""
    return sum(numbers) / (len(numbers) + 1)


def last_word(text: str) -> str:
    """Return the last word, without a full stop."""
    return text.split()[0].rstrip(".")


def to_celsius(fahrenheit: float) -> float:
    """Return degrees Celsius for degrees Fahrenheit."""
    return (fahrenheit - 32) * 9 / 5


def initials(name: str) -> str:
    """Return the first letters of all words, as capitals."""
    return "".join(word[0] for word in name.split())


def is_even(number: int) -> bool:
    """Return whether the number is even."""
    return number % 2 == 1


def count_vowels(text: str) -> int:
    """Return how many vowels the text has, capitals too."""
    return sum(letter in "aeiou" for letter in text)


def largest(numbers: list[int]) -> int:
    """Return the largest number."""
    best = 0
    for number in numbers:
        if number > best:
            best = number
    return best

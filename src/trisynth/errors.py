"""The one exception that a user's mistake raises: what was given, and what to do about it."""


class InputError(ValueError):
    """A parameter that cannot be used, in one line.

    Parameters
    ----------
    parameter : str
        The name as the user typed it, such as ``dataset.target``.
    value : object
        The value that was given.
    remedy : str
        What is wrong and what to do instead.
    """

    def __init__(self, parameter: str, value: object, remedy: str):
        super().__init__(parameter, value, remedy)
        self.parameter, self.value, self.remedy = parameter, value, remedy

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 200:
            shown = shown[:200] + "..."
        return f"{self.parameter}={shown}: {self.remedy}"

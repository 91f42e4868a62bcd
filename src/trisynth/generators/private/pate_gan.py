"""PATE-GAN: a generator trained against a student that sees generated rows and noisy votes of teachers alone."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.generators.neural.checks import check_rates, check_sizes
from trisynth.generators.private.network import PrivateNetwork, perceptron, sampled
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Share
from trisynth.privacy.noise import Noise

_VOTES = "votes of the teachers"
_HIDDEN_TEACHER, _HIDDEN = 8, 64
_DECAY = 0.01
# Rows of a teacher's step of either kind, and steps of a round of teachers, student and generator.
_BATCH, _TEACHER_STEPS, _STUDENT_STEPS, _GENERATOR_STEPS = 16, 4, 20, 10
# Generated rows of a step of the student and of the generator.
_GENERATED = 128


class PATEGAN(PrivateNetwork):
    """PATE-GAN with teachers on disjoint parts, and Gaussian noise on every vote count.

    Each row is given to one teacher at random. The teachers learn to separate the rows of their part from generated
    ones, and their training continues in every round. They vote on new generated rows; each count has noise for a
    sensitivity of 1 and is charged whatever the votes are. The student learns from generated rows and noisy fractions
    of votes, and the generator from the student. The label of a generated row is drawn from noisy class counts.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    teachers : int, default=100
        Number of disjoint parts.
    rounds : int, default=20
        Rounds of voting.
    votes : int, default=16
        Generated rows that are voted on in a round.
    learning_rate : float, default=0.002

    Attributes
    ----------
    asked_ : ndarray of int, shape (rounds x votes, columns)
        Groups of the generated rows that were voted on.
    votes_ : ndarray, shape (rounds x votes,)
        Their noisy counts, which the budget covers.

    Notes
    -----
    Source: Jordon, Yoon & van der Schaar (2019), PATE-GAN, https://openreview.net/forum?id=S1zk9iRqF7. The noise is
    Gaussian and the accounting independent of the data, which a published epsilon requires; the moments accountant of
    the source depends on the votes. A vote is a probability, which carries more information at the same sensitivity,
    and the student learns from the votes of all rounds before. Cells are groups of noisy histograms. Published
    implementations leak more than they claim (Ganev, Annamalai & De Cristofaro 2025, https://arxiv.org/abs/2406.13985).
    """

    def __init__(
        self,
        privacy: Budget | None = None,
        teachers: int = 100,
        rounds: int = 20,
        votes: int = 16,
        learning_rate: float = 0.002,
    ):
        super().__init__(privacy)
        self.teachers = teachers
        self.rounds = rounds
        self.votes = votes
        self.learning_rate = learning_rate

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(teachers=self.teachers, rounds=self.rounds, votes=self.votes)
        check_rates(learning_rate=self.learning_rate)

    def _plan(self) -> Mapping[str, Share]:
        return {_VOTES: Share(4.0, self.rounds * self.votes)}

    def _parts(self, n: int, noise: Noise) -> np.ndarray:
        """Choose the teacher of each row, independently of all other rows, shape (n,)."""
        return np.minimum((noise.uniform(n) * self.teachers).astype(int), self.teachers - 1)

    def _members(self, n: int, noise: Noise) -> list[np.ndarray]:
        """Return the rows that each teacher sees."""
        parts = self._parts(n, noise)
        return [np.flatnonzero(parts == i) for i in range(self.teachers)]

    def _train(self, rows: Tensor, labels: Tensor, noise: Noise, generator: torch.Generator) -> nn.Sequential:
        sizes, kinds = self.columns_.sizes, labels.shape[1]
        width = sum(sizes) + kinds
        network = perceptron([self._latent_dim + kinds, _HIDDEN, sum(sizes)], generator)
        student = perceptron([width, _HIDDEN, 1], generator)
        with torch.no_grad():
            network[-1].bias.copy_(self._shares())
        shares = torch.tensor(self.counts_ / self.counts_.sum(), dtype=torch.float32)

        def generate(n: int) -> Tensor:
            label = torch.multinomial(shares, n, replacement=True, generator=generator)
            condition = nn.functional.one_hot(label, kinds).float()
            latent = torch.randn((n, self._latent_dim), generator=generator)
            drawn = sampled(network(torch.cat([latent, condition], 1)), sizes, generator)
            return torch.cat([drawn, condition], 1)

        teachers = Teachers(
            torch.cat([rows, labels], 1), self._members(len(rows), noise), self.learning_rate, generator
        )
        settings = {"lr": self.learning_rate, "betas": (0.5, 0.9)}
        learn_student = torch.optim.Adam(student.parameters(), weight_decay=1e-4, **settings)
        learn_network = torch.optim.Adam(network.parameters(), **settings)
        seen, due = torch.empty(0, width), torch.empty(0)
        transcript = []
        for _ in range(self.rounds):
            for _ in range(_TEACHER_STEPS):
                with torch.no_grad():
                    drawn = generate(_BATCH * self.teachers)
                teachers.step(drawn.reshape(self.teachers, _BATCH, width))
            with torch.no_grad():
                asked = generate(self.votes)
                counts = teachers.votes(asked).numpy().astype(float)
            noisy = self.ledger_.noisy(_VOTES, counts, noise, queries=self.votes, whole=False)
            share = torch.tensor(noisy / self.teachers, dtype=torch.float32).clamp(0, 1)
            seen, due = torch.cat([seen, asked]), torch.cat([due, share])
            transcript.append(noisy)
            for _ in range(_STUDENT_STEPS):
                few = torch.randint(len(seen), (_GENERATED,), generator=generator)
                loss = nn.functional.binary_cross_entropy_with_logits(student(seen[few])[:, 0], due[few])
                learn_student.zero_grad()
                loss.backward()
                learn_student.step()
            for _ in range(_GENERATOR_STEPS):
                loss = nn.functional.softplus(-student(generate(_GENERATED))).mean()
                learn_network.zero_grad()
                loss.backward()
                learn_network.step()
        blocks = torch.split(seen[:, : sum(sizes)], sizes, dim=1)
        self.asked_ = torch.stack([block.argmax(1) for block in blocks], 1).numpy()
        self.votes_ = np.concatenate(transcript)
        return network

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        own = np.concatenate(self.columns_.codes(positions))
        near = (self.asked_ == own).mean(1)
        nearest = near >= near.max() - 1e-9
        votes = [self.votes_.mean(), self.votes_[nearest].mean(), near.max()]
        return np.array([*votes, *super()._traces(positions, labels)])


class Teachers:
    """Discriminators, each trained on its own rows; all of them are one batch of matrices.

    Parameters
    ----------
    rows : Tensor, shape (n, width)
    members : list of ndarray of int
        Rows of each teacher.
    learning_rate : float
    generator : torch.Generator
    """

    def __init__(self, rows: Tensor, members: list[np.ndarray], learning_rate: float, generator: torch.Generator):
        self.rows, self.generator = rows, generator
        count, width = len(members), rows.shape[1]
        self.lengths = torch.tensor([len(each) for each in members])
        self.members = torch.zeros(count, max(1, int(self.lengths.max())), dtype=torch.long)
        for i, each in enumerate(members):
            self.members[i, : len(each)] = torch.from_numpy(each)
        shapes = (width, _HIDDEN_TEACHER), (1, _HIDDEN_TEACHER), (_HIDDEN_TEACHER, 1), (1, 1)
        self.weights = [
            torch.randn((count, *shape), generator=generator) * (shape[0] ** -0.5 if shape[0] > 1 else 0.0)
            for shape in shapes
        ]
        for each in self.weights:
            each.requires_grad_(True)
        self.optimizer = torch.optim.Adam(self.weights, lr=learning_rate, weight_decay=_DECAY)

    def logits(self, rows: Tensor) -> Tensor:
        """Return the logit of every teacher, shape (teachers, n), for rows of shape ([teachers,] n, width)."""
        first, offset, second, last = self.weights
        return (torch.relu(rows @ first + offset) @ second + last)[..., 0]

    def step(self, drawn: Tensor) -> None:
        """Train each teacher on rows of its part and on generated rows, shape (teachers, batch, width)."""
        count, batch = drawn.shape[:2]
        place = (torch.rand((count, batch), generator=self.generator) * self.lengths[:, None]).long()
        real = self.rows[self.members.gather(1, place)]
        # A teacher without rows learns from generated ones alone.
        some = (self.lengths > 0).float()[:, None]
        loss = nn.functional.softplus(-self.logits(real)) * some + nn.functional.softplus(self.logits(drawn))
        self.optimizer.zero_grad()
        # Every teacher is trained by itself: the sum keeps their gradients apart.
        loss.mean(1).sum().backward()
        self.optimizer.step()

    def votes(self, rows: Tensor) -> Tensor:
        """Add up the probabilities with which the teachers take each of some rows, shape (n, width), for real."""
        return torch.sigmoid(self.logits(rows)).sum(0)

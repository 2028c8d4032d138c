#!/usr/bin/env python3
"""Makes the sounds anew; they are Kith's own. Needs nothing but Python."""

import math
import pathlib
import struct
import wave

HERE = pathlib.Path(__file__).resolve().parent
RATE = 48_000


def note(samples, start, hertz, seconds, level, attack=0.008, fall=0.09, partials=((1, 1.0), (2, 0.18), (3, 0.05))):
    """Adds a soft bell-like note: it swells for `attack` seconds and then dies away, higher partials sooner."""
    first = int(start * RATE)
    for at in range(min(int(seconds * RATE), len(samples) - first)):
        t = at / RATE
        swell = 0.5 - 0.5 * math.cos(math.pi * min(t / attack, 1.0))
        tone = sum(a * math.sin(math.tau * hertz * n * t) * math.exp(-t * n / fall) for n, a in partials)
        samples[first + at] += level * swell * tone


def save(name, samples, peak_db, fade):
    fading = int(fade * RATE)
    for at in range(fading):
        samples[len(samples) - fading + at] *= 0.5 + 0.5 * math.cos(math.pi * (at + 1) / fading)
    top = 10 ** (peak_db / 20) / max(map(abs, samples))
    data = b"".join(struct.pack("<h", round(s * top * 32767)) for s in samples)
    with wave.open(str(HERE / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data)


def main():
    message = [0.0] * int(0.45 * RATE)
    note(message, 0.0, 659.26, 0.45, 0.8)  # E5
    note(message, 0.11, 987.77, 0.34, 1.0, fall=0.08)  # B5
    save("message.wav", message, -10.0, 0.12)
    sent = [0.0] * int(0.07 * RATE)
    note(sent, 0.0, 1174.66, 0.07, 1.0, attack=0.003, fall=0.014, partials=((1, 1.0), (2, 0.1)))
    save("sent.wav", sent, -15.0, 0.03)


if __name__ == "__main__":
    main()

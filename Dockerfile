# The exact versions of the lock, and the command: docker build -t trisynth . && docker run -v "$PWD:/work" trisynth run
FROM python:3.11-slim
WORKDIR /work
COPY requirements.lock requirements-torch.lock /tmp/
RUN pip install --no-cache-dir --no-deps --requirement /tmp/requirements.lock
RUN pip install --no-cache-dir --requirement /tmp/requirements-torch.lock
COPY pyproject.toml README.md LICENSE /tmp/trisynth/
COPY src /tmp/trisynth/src
COPY conf /tmp/trisynth/conf
RUN pip install --no-cache-dir --no-deps --no-build-isolation /tmp/trisynth && rm -r /tmp/trisynth
ENTRYPOINT ["trisynth"]

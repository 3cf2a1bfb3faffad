// Loaded with --import into a process: SIGUSR2 keeps its event loop busy for two seconds.

const blockedMs = 2000;

process.on('SIGUSR2', () => {
  const untilMs = performance.now() + blockedMs;
  while (performance.now() < untilMs);
});

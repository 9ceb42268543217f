// Loaded into the server's process by scripts/start.mjs: when the starting process dies, however it dies, the
// channel between the two closes, and the server shuts down as if it had been asked to. Without this, killing
// `npm start` hard would leave a server behind that holds the port.

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel alone must not keep a server alive that has finished.
process.channel?.unref();

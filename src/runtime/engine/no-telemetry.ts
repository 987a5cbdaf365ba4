// Imported before ONNX Runtime is loaded, on the main thread: a lane's own environment would not reach the library.
// A device keeps to its cluster, and telemetry would also leave its session files in the temporary folder.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1'

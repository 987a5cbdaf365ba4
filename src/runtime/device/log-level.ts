/** Of a line in a device's log: `warn` is for what somebody should look at, though the device goes on. */
export type LogLevel = 'info' | 'warn' | 'error'

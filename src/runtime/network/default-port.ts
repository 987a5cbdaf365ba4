/** A device listens on it unless told otherwise, so that others find it again after a restart. Above the well-known ports, below those that systems give out. */
export const DEFAULT_PORT = 6174

/** Told that a request was answered. @param route as it is declared, without what stands in it @param code of HTTP, or of gRPC */
export type Answered = (route: string, code: number) => void

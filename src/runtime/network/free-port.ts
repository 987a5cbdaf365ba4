import { once } from 'node:events'
import { createServer } from 'node:net'

/** Whether one can listen there just now; otherwise the code of what stands against it, like EADDRINUSE. */
export const portTrouble = async (host: string, port: number): Promise<string | undefined> => {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    server.close()
  }
}

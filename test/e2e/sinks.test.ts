import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { TensorProto_DataType as T } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAIN } from '../../src/testing/node-process.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'

const MODEL = {
  nodes: [node('Relu', ['x'], ['y'])],
  weights: [],
  inputs: [value('x', T.FLOAT, [1, 4])],
  outputs: [value('y', T.FLOAT, [1, 4])]
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-sinks-'))
  await writeFile(join(folder, 'model.onnx'), buildModel(MODEL))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const shell = (script: string): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise(resolve => {
    execFile('bash', ['-c', script], { cwd: folder, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

const command = (state: string, data: number, rest: string): string =>
  `'${process.execPath}' '${MAIN}' node --name ${state} --state ${state} --listen 127.0.0.1:0 --no-mdns --model model.onnx:m ` +
  `--source cam=synthetic:${data},model=m --exit-when-done ${rest}`

describe.skipIf(process.platform === 'win32')('results are where a shell expects them', () => {
  test('on standard output, and nothing else there; at every run, as nothing keeps them', async () => {
    for (const _ of [1, 2]) {
      const begun = Date.now() / 1000
      const { code, stdout } = await shell(`${command('out', 5, '--sink -')} | cat`)
      expect(code).toBe(0)
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
      expect(lines.map(({ datum }) => datum).sort()).toEqual([0, 1, 2, 3, 4])
      for (const { availableAt, doneAt, inferenceTime } of lines) {
        expect(availableAt).toBeGreaterThan(begun)
        expect(doneAt - availableAt).toBeCloseTo(inferenceTime, 2)
      }
    }
  })

  test('in a file that is appended to, behind what is there', async () => {
    const { code } = await shell(`echo before > log; ${command('file', 3, '--sink - >> log')}`)
    expect(code).toBe(0)
    const lines = (await readFile(join(folder, 'log'), 'utf8')).trimEnd().split('\n')
    expect([lines[0], lines.length]).toEqual(['before', 4])
  })

  test('with a reader that has seen enough, it is over', async () => {
    const { stdout, stderr, code } = await shell(`set -o pipefail; ${command('head', 100_000, '--sink - | head -n 1')}`)
    expect(JSON.parse(stdout)).toMatchObject({ source: expect.stringContaining('cam') })
    expect(code).toBe(1)
    expect(stderr).toMatch(/nobody reads it/)
  })

  test('in a file and a FIFO at once, each once', async () => {
    const { code, stdout } = await shell(
      `mkfifo fifo; cat fifo & ${command('both', 20, '--sink both.jsonl,rotate=4KiB --sink fifo')}; code=$?; wait; exit $code`
    )
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toHaveLength(20)
    const files = await shell('cat both.jsonl both.jsonl.*')
    expect(files.stdout.trimEnd().split('\n').sort()).toEqual(stdout.trimEnd().split('\n').sort())
  })

  test('and what cannot be is refused, in one line', async () => {
    const refused = await shell(command('no', 1, '--sink - --json'))
    expect([refused.code, refused.stderr.trimEnd().split('\n')]).toEqual([2, [expect.stringMatching(/keep one/)]])
  })

  test('at a webhook, each once, though the device is killed on the way and the webhook is away at first', async () => {
    const posted: number[] = []
    let isUp = false
    const server = createServer(async (request, response) => {
      let text = ''
      for await (const piece of request) text += piece
      if (isUp) posted.push(JSON.parse(text).datum)
      response.writeHead(isUp ? 200 : 503).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const sink = `--sink webhook:http://127.0.0.1:${port}/ --sink hook.jsonl`
    const killed = await shell(
      `exec 3>&1; ${command('hook', 300, sink)} 2>log & pid=$!; until [ -s hook.jsonl ]; do sleep 0.1; done; kill -9 $pid; wait $pid; echo $?`
    )
    expect(killed.stdout.trim()).toBe('137')
    expect(posted).toEqual([])
    isUp = true
    // What is not delivered within seconds of its end, by a machine that is busy, is left to the next start.
    for (let starts = 0; starts < 5 && posted.length < 300; starts++) {
      const { code, stderr } = await shell(command('hook', 300, sink))
      expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
    }
    server.close()
    expect(posted.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, datum) => datum))
  })

  test('at a broker, each on the topic of its source', async () => {
    const aedes = await Aedes.createBroker()
    const published: string[] = []
    aedes.on('publish', ({ topic, payload }) => {
      if (!topic.startsWith('$SYS')) published.push(`${topic} ${JSON.parse(String(payload)).datum}`)
    })
    const server = createTcpServer(socket => void aedes.handle(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await shell(command('mqtt', 5, `--sink 'mqtt://127.0.0.1:${port}/seen/{source}'`))
    expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
    server.close()
    await new Promise<void>(resolve => aedes.close(() => resolve()))
    expect(published.sort()).toEqual([0, 1, 2, 3, 4].map(datum => `seen/cam ${datum}`))
  })
})

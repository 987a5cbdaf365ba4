import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-doctor-'))
  await writeFile(
    join(folder, 'porch.yaml'),
    'name: porch\nstate: porch-state\nsources: [{ name: cam, video: "rtsp://localhost/none" }]\npreset: detect\nsink: results.jsonl\n'
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const doctor = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Said> =>
  new Promise(resolve => {
    const options = { cwd: folder, env: { ...process.env, HOME: folder, ...env } }
    execFile(process.execPath, [MAIN, 'doctor', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

interface Found {
  readonly well: boolean
  readonly findings: readonly {
    readonly check: string
    readonly state: string
    readonly found: string
    readonly remedy?: string
  }[]
  readonly links: readonly {
    readonly there: { readonly rate: number } | null
    readonly back: { readonly rate: number } | null
  }[]
}
const found = async (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Found & { readonly code: number }> => {
  const { code, stdout } = await doctor([...args, '--no-mdns', '--json'], env)
  return { code, ...JSON.parse(stdout) }
}
const of = ({ findings }: Found, check: string) => findings.find(finding => finding.check === check)

describe('a machine without a device', () => {
  test('all is looked at; that no device runs is only a note', async () => {
    const said = await found(['--name', 'nobody', '--port', '0'])
    expect(said.findings.filter(({ state }: { state: string }) => state === 'todo')).toEqual([])
    expect(said).toMatchObject({ code: 0, well: true, links: [] })
    for (const check of ['Node.js', 'ONNX Runtime', 'sharp', 'port', 'clock', 'disk', 'memory'])
      expect({ check, there: of(said, check)?.state }).toEqual({ check, there: expect.stringMatching(/^(?:ok|note)$/) })
    expect(of(said, 'device')).toMatchObject({ state: 'note', remedy: expect.stringContaining('tributary node') })
  })

  test('what is wrong is a thing to do, with a remedy: a port in use, ffmpeg that a source needs, an address of nobody', async () => {
    const taken = createServer().listen(0, '0.0.0.0')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    try {
      const flags = ['--config', 'porch.yaml', '--port', String(port)]
      const said = await found([...flags, '--timeout', '1', '--join', 'tributary1:none'], { PATH: '/nowhere' })
      expect(said).toMatchObject({ code: 1, well: false })
      expect(of(said, 'port')).toMatchObject({ state: 'todo', remedy: expect.stringContaining('--any-port') })
      expect(of(said, 'ffmpeg')).toMatchObject({ state: 'todo', remedy: expect.stringContaining('apt-get install') })
      expect(of(said, 'device')).toMatchObject({ state: 'todo' })
    } finally {
      taken.close()
    }
  })

  test.each([
    ['--port', 'many'],
    ['--timeout', '0'],
    ['--config', 'none.yaml'],
    ['--colour', 'red']
  ])('wrong use: %s %s is refused with exit 2', async (flag, value) => {
    const { code, stdout, stderr } = await doctor([flag, value])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(flag === '--config' ? value : flag)
  })

  test('the examples of the help are what is run', async () => {
    const { stdout } = await doctor(['--help'])
    const lines = [...stdout.matchAll(/^ +\$ tributary doctor ?(.*)$/gm)].map(([, line]) => line!)
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      const { code, stderr } = await doctor(line.split(' ').filter(word => word !== ''))
      expect({ line, stderr, answered: code < 2 }).toEqual({ line, stderr: '', answered: true })
    }
  })
})

describe('two members', () => {
  let nodes: NodeProcess[]
  beforeAll(async () => {
    const shed = startNode('shed', ['--state', join(folder, 'shed')])
    const { invite } = await shed.event('listening')
    nodes = [shed, startNode('door', ['--state', join(folder, 'door'), '--join', String(invite)])]
    for (const node of nodes)
      await node.status(({ devices }) => devices.length === 2 && devices.every(({ links }) => links.length === 1))
  })
  afterAll(async () => {
    for (const { child } of nodes) child.kill('SIGKILL')
    await Promise.all(nodes.map(node => node.ended))
  })

  test('the link between them has a rate both ways, in the words for people too', async () => {
    const said = await found(['--state', 'shed'])
    expect(said.links).toEqual([expect.objectContaining({ from: 'shed', to: 'door' })])
    expect(said.links[0]!.there!.rate).toBeGreaterThan(0)
    expect(said.links[0]!.back!.rate).toBeGreaterThan(0)
    expect(of(said, 'port')).toMatchObject({ state: 'ok', found: expect.stringContaining('listens on') })
    const { stdout } = await doctor(['--state', 'shed', '--no-mdns'])
    expect(stdout).toMatch(/^ok {4}link to door: there [\d.]+ [KMG]iB\/s, back [\d.]+ [KMG]iB\/s, latency/m)
  })

  test('a member that is away is told, and one that was killed here is a thing to do', async () => {
    nodes[1]!.child.kill('SIGKILL')
    await nodes[1]!.ended
    await nodes[0]!.status(({ devices }) => devices.length === 1)
    expect(of(await found(['--state', 'shed']), 'member door')).toMatchObject({ state: 'note' })
    nodes[0]!.child.kill('SIGKILL')
    await nodes[0]!.ended
    const said = await found(['--state', 'shed', '--timeout', '1'])
    expect(said.code).toBe(1)
    expect(of(said, 'device')).toMatchObject({ state: 'todo', remedy: expect.stringContaining('start it again') })
  })
})

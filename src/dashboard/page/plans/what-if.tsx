import { useState } from 'preact/hooks'
import type { Outlook, Served } from '../../../planner/outlook.ts'
import type { OutlookChange } from '../../../planner/outlook-change.ts'
import { tightWords, totalRate } from '../../view/served-words.ts'
import type { ClusterState } from '../cluster-state.ts'
import { post } from '../post.ts'
import { bytesText, perSecondText, rangesText } from '../words.ts'

type Kind = 'leaves' | 'speed' | 'link'

type Preview =
  | { readonly kind: 'none' }
  | { readonly kind: 'asked'; readonly words: string }
  | { readonly kind: 'failed'; readonly because: string }
  | { readonly kind: 'known'; readonly words: string; readonly outlook: Outlook }

/** What would be if a device or a link were otherwise, by the planner; nothing changes. */
export const WhatIf = ({ state }: { readonly state: ClusterState }) => {
  const names = state.devices.map(({ name }) => name)
  const [kind, setKind] = useState<Kind>('leaves')
  const [device, setDevice] = useState(names[0] ?? '')
  const [other, setOther] = useState(names[1] ?? '')
  const [amount, setAmount] = useState('2')
  const [preview, setPreview] = useState<Preview>({ kind: 'none' })
  const choose = (next: Kind): void => {
    setKind(next)
    setAmount(next === 'link' ? '5' : '2')
  }
  const submit = async (): Promise<void> => {
    const [change, words] = changeOf(kind, { device, other, amount: Number(amount) })
    setPreview({ kind: 'asked', words })
    try {
      setPreview({ kind: 'known', words, outlook: await post<Outlook>('api/preview', change) })
    } catch (error) {
      setPreview({ kind: 'failed', because: (error as Error).message })
    }
  }
  const chooser = (id: string, label: string, value: string, set: (name: string) => void) => (
    <span class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={event => set(event.currentTarget.value)}>
        {names.map(name => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </span>
  )
  return (
    <section class="what-if" aria-label="What if">
      <form
        onSubmit={event => {
          event.preventDefault()
          void submit()
        }}
      >
        <span class="field">
          <label for="if-kind">What if</label>
          <select id="if-kind" value={kind} onChange={event => choose(event.currentTarget.value as Kind)}>
            <option value="leaves">a device left</option>
            <option value="speed">a device were faster or slower</option>
            <option value="link">a link were otherwise</option>
          </select>
        </span>
        {chooser('if-device', kind === 'link' ? 'Between' : 'Device', device, setDevice)}
        {kind === 'link' && chooser('if-other', 'and', other, setOther)}
        {kind !== 'leaves' && (
          <span class="field">
            <label for="if-amount">{kind === 'speed' ? 'Times as fast' : 'Mbit/s'}</label>
            <input
              id="if-amount"
              type="number"
              min="0.01"
              step="any"
              required
              value={amount}
              onInput={event => setAmount(event.currentTarget.value)}
            />
          </span>
        )}
        <button type="submit" disabled={preview.kind === 'asked'}>
          Ask the planner
        </button>
      </form>
      <div role="status" class="foretold">
        {preview.kind === 'asked' && <p>The planner computes what would be if {preview.words} …</p>}
        {preview.kind === 'failed' && <p class="wrong">{preview.because}</p>}
        {preview.kind === 'known' && <Answer words={preview.words} outlook={preview.outlook} />}
      </div>
    </section>
  )
}

const changeOf = (
  kind: Kind,
  { device, other, amount }: { readonly device: string; readonly other: string; readonly amount: number }
): readonly [OutlookChange, string] => {
  if (kind === 'leaves') return [{ leaves: device }, `${device} left`]
  if (kind === 'speed') return [{ device, speed: amount }, `${device} were ${amount} times as fast`]
  return [
    { from: device, to: other, rate: (amount * 1e6) / 8 },
    `the link between ${device} and ${other} had ${amount} Mbit/s`
  ]
}

interface AnswerProps {
  readonly words: string
  readonly outlook: Outlook
}

const Answer = ({ words, outlook }: AnswerProps) => {
  if (outlook.kind === 'none')
    return (
      <p class="wrong">
        If {words}: {outlook.because}.
      </p>
    )
  const { now: before } = outlook
  const bytes = outlook.moves.reduce((sum, move) => sum + move.bytes, 0)
  return (
    <>
      <p>
        If {words}: <Rate served={outlook.planned} before={before} />
        {outlook.moves.length > 0 && (
          <>
            {' '}
            once blocks have moved; until then <Rate served={outlook.carried} before={before} />
          </>
        )}
        .
      </p>
      {outlook.planned.kind === 'served' && (
        <ul>
          {tightWords(outlook.planned).map(text => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {outlook.moves.length > 0 && (
        <p class="note">
          {bytesText(bytes)} would be loaded:{' '}
          {outlook.moves
            .map(({ device, model, loads, drops }) =>
              [
                device,
                loads.length > 0 ? `loads ${model} ${rangesText(loads)}` : '',
                drops.length > 0 ? `drops ${model} ${rangesText(drops)}` : ''
              ]
                .filter(text => text !== '')
                .join(' ')
            )
            .join('; ')}
          .
        </p>
      )}
    </>
  )
}

const Rate = ({ served, before }: { readonly served: Served; readonly before: Served }) => {
  if (served.kind === 'unserved') return <strong>nothing ({served.because})</strong>
  const rate = totalRate(served)
  const now = before.kind === 'served' ? totalRate(before) : 0
  const change = now > 0 ? rate / now - 1 : undefined
  const percent = change === undefined ? undefined : Math.round(100 * change)
  return (
    <>
      <strong>
        <data class="foreseen" value={rate}>
          {perSecondText(rate)}
        </data>{' '}
        results/s
      </strong>
      {percent !== undefined &&
        percent !== 0 &&
        ` (${percent > 0 ? '+' : '−'}${Math.abs(percent)} % to the ${perSecondText(now)} that can be served now)`}
      {percent === 0 && ' (as now)'}
    </>
  )
}

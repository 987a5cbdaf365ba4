import type { ScenarioFacts } from './scenario-facts.ts'

/** A number that somebody has published, and how it is got here. */
export interface PublishedResult {
  readonly name: string
  /** Repository and commit, or paper. */
  readonly source: string
  /** Below scenarios/. What is theirs in it, and what is ours, stands at its head. */
  readonly scenario: string
  readonly unit: string
  readonly published: number
  /**
   * By what share of the published number ours may differ. `direction`: testbeds that are not described closely enough to be
   * rebuilt; a ratio below 1 is published, and ours must be below 1 too. `none`: we do not get what is published, and claim
   * nothing.
   */
  readonly limit: number | 'direction' | 'none'
  /** Why ours is another, where it is. */
  readonly because?: string
  readonly measure: (facts: ScenarioFacts) => number
}

const DNNPIPE =
  'DNNPipe: SNU-RTOS/DNNPipe 5223bef, config.json; J. Systems Architecture 2025, doi 10.1016/j.sysarc.2025.103462'
const PIPEEDGE = 'PipeEdge: usc-isi/PipeEdge 1a68bbb, README_Scheduler.md; Hu et al., arXiv 2110.14895'
const PA_MDI = 'PA-MDI: T. Li, Seferoglu, arXiv 2412.12371, inference time of the time-sensitive source'
const MS_MDI = 'MS-MDI: Li, Seferoglu, Koyuncu, ICASSPW 2023, doi 10.1109/ICASSPW59220.2023.10193154, abstract'
const AR_MDI = 'AR-MDI: Li, Koyuncu, Seferoglu, IEEE OJCOMS 2023, doi 10.1109/OJCOMS.2023.3280174'

const LOUDVA =
  'LoudVA: iloudaros/LoudVA c288874, measurements/archive/Representative, perf_analyzer at the highest frequency'

/** Images per second by board and number of clients. */
const BY_CLIENTS = {
  nano: { 2: 5.66604, 6: 7.66539, 8: 8.33194 },
  nx: { 2: 26.6284, 12: 45.771, 16: 46.6052 },
  agx: { 2: 37.7878, 12: 68.7998, 28: 87.7619 }
}

const ALL_AT_ONCE = {
  limit: 'none',
  because:
    'all clients begin at once in ours: one image runs alone, eleven after it, and so on; theirs come to be served by halves'
} as const

/** Images in a datum. */
const MICROBATCH = 8

/** Images per second by number of boards: the optimum of PipeEdge's own dynamic programme. */
const IMAGES_PER_SECOND = {
  base: { 2: 1.53, 4: 3.0, 8: 5.747, 16: 9.99 },
  large: { 2: 0.445, 4: 0.885, 8: 1.742, 16: 3.304 }
}

const dnnpipe = { source: DNNPIPE, scenario: 'published/dnnpipe-effnetv2b0.yaml' }

export const PUBLISHED_RESULTS: readonly PublishedResult[] = [
  {
    ...dnnpipe,
    ...{ name: 'dnnpipe-effnetv2b0-stage', unit: 'ms', published: 3.16649, limit: 1e-5 },
    measure: facts => 1000 * facts.slowestStage('pipeedge')
  },
  {
    ...dnnpipe,
    ...{ name: 'dnnpipe-effnetv2b0', unit: 'images/s', published: 315.8, limit: 0.005 },
    measure: facts => facts.steadyRate('pipeedge')
  },
  {
    ...dnnpipe,
    ...{ name: 'dnnpipe-effnetv2b0-bound', unit: 'ms', published: 3.15881, limit: 1e-5 },
    measure: facts => 1000 / facts.bound()
  },
  ...Object.entries(IMAGES_PER_SECOND).flatMap(([model, byBoards]) =>
    Object.entries(byBoards).map(([boards, published]): PublishedResult => {
      const name = `pipeedge-vit-${model}-rcc-${boards}`
      return {
        ...{ name, source: PIPEEDGE, scenario: `published/${name}.yaml`, unit: 'images/s', published, limit: 0.005 },
        measure: facts => MICROBATCH * facts.steadyRate('pipeedge')
      }
    })
  ),
  ...Object.entries(BY_CLIENTS).flatMap(([board, byClients]) =>
    Object.entries(byClients).map(([clients, published]): PublishedResult => {
      const [name, scenario] = [`loudva-inception-${board}-${clients}`, 'published/loudva-inception.yaml']
      return {
        ...{ name, source: LOUDVA, scenario, unit: 'images/s', published },
        ...(name === 'loudva-inception-agx-12' ? ALL_AT_ONCE : { limit: 0.05 }),
        measure: facts => facts.steadyRate('confluence', `${board}-${clients}`)
      }
    })
  ),
  // Up to 73.2 and 61.0 % below MS-MDI, 75.3 and 71.4 % below AR-MDI.
  ...[
    { name: 'pa-ms-priority-full', published: 0.268, other: 'ms-mdi', scenario: 'priority-full' },
    { name: 'pa-ms-priority-multi-hop', published: 0.39, other: 'ms-mdi', scenario: 'priority-multi-hop' },
    { name: 'pa-ar-priority-full', published: 0.247, other: 'ar-mdi', scenario: 'priority-full' },
    { name: 'pa-ar-priority-multi-hop', published: 0.286, other: 'ar-mdi', scenario: 'priority-multi-hop' }
  ].map(
    ({ name, published, other, scenario }): PublishedResult => ({
      ...{ name, source: PA_MDI, scenario: `${scenario}.yaml`, unit: 'ratio', published, limit: 'direction' },
      because:
        other === 'ar-mdi'
          ? "ar-mdi's sources are blind to each other, and their chains cannot keep up with this load at all"
          : 'weights, load and links of the testbed are not published; ours are chosen',
      measure: facts => facts.meanTime('pa-mdi', 'alarm') / facts.meanTime(other as 'ms-mdi' | 'ar-mdi', 'alarm')
    })
  ),
  ...[3, 4, 5].map(
    (boards): PublishedResult => ({
      ...{ name: `ms-ar-two-sources-${boards}`, source: MS_MDI, scenario: `two-sources-${boards}-jetsons.yaml` },
      ...{ unit: 'ratio', published: 1, limit: 'direction' },
      because: 'the abstract says that it is faster, not by how much',
      measure: facts => facts.meanTime('ms-mdi') / facts.meanTime('ar-mdi')
    })
  ),
  {
    ...{ name: 'ar-ddi-large-inputs', source: AR_MDI, scenario: 'large-inputs.yaml' },
    ...{ unit: 'ratio', published: 1, limit: 'none' },
    because:
      "not reproduced: our ddi chooses among all workers by expected finish, which the papers' baseline need not; and ResNet-50's early activations are as large as a photograph, so a chain crosses more bytes than it saves",
    measure: facts => facts.meanTime('ar-mdi') / facts.meanTime('ddi')
  }
]

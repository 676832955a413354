import type { ExperimentView } from '../../admin/contract.ts';

/** What an experiment has found, in a few words. */
export function experimentHead({ state, winner, leaders, variants }: ExperimentView): string {
  switch (state) {
    case 'winner':
      return `${winner ?? 'One'} wins`;
    case 'equivalent': {
      const compared = variants.filter((one) => one.state !== 'off' && one.state !== 'stopped');
      return leaders.length < compared.length
        ? `${leaders.join(' and ')} are ahead, and equal`
        : 'No difference that matters';
    }
    case 'continue':
      return 'Not decided yet';
    case 'error':
      return 'The counts cannot be believed';
    case 'idle':
      return 'Nobody is in it';
  }
}

import { type Action, initialState, type State } from './model.ts';
import { reduce } from './reduce.ts';

/** Holds the state and tells when it is another one. */
export interface Store {
  state(): State;
  dispatch(action: Action): void;
  /** Returns how to stop listening. */
  subscribe(listener: () => void): () => void;
}

export function createStore(nowMs: number): Store {
  let state = initialState(nowMs);
  const listeners = new Set<() => void>();
  return {
    state: () => state,
    dispatch(action) {
      const next = reduce(state, action);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

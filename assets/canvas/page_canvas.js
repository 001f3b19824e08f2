
const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let steps = 0;
  const events = {
    view: (snapshot) => setStateValue("view", snapshot),
    step: (by) => setTriggerValue("step", { by, number: (steps += 1) }),
  };
  whenReady((library) => {
    const follower = mounted.get(parentElement);
    if (follower) follower.take(data, events);
    else mounted.set(parentElement, new library.Follower(parentElement, library.store, data, events));
  });
  return () => {
    mounted.get(parentElement)?.destroy();
    mounted.delete(parentElement);
  };
}

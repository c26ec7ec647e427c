import { useEffect, useState } from "preact/hooks";

/** How long something is shown that has just been done, in ms. */
const SHOWN = 2000;

/** Whether something has just been done, and what says that it has. */
export function useShortly(): [boolean, (isDone: boolean) => void] {
    const [times, setTimes] = useState(0);
    useEffect(() => {
        if (times === 0) return undefined;
        const timer = setTimeout(() => setTimes(0), SHOWN);
        return () => clearTimeout(timer);
    }, [times]);
    return [times > 0, (isDone) => setTimes((before) => (isDone ? before + 1 : 0))];
}

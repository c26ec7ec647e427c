import { render } from "preact";

import { App, AppProvider } from "./app.ts";
import { takeToken } from "./login_token.ts";
import "./style/page.css";
import { Page } from "./view/page.tsx";

const place = document.getElementById("page");
if (place !== null) {
    const app = new App();
    const token = takeToken();
    render(
        <AppProvider value={app}>
            <Page />
        </AppProvider>,
        place,
    );
    void app.start(token);
    // Another token may be put behind the address of a page that is open.
    addEventListener("hashchange", () => void app.enterBy(takeToken()));
}

@echo off
rem Starts the camera in a container. See launch.sh for the same on Linux and macOS.
setlocal EnableExtensions DisableDelayedExpansion

set "image=rtsp-clock-server:latest"
set "here=%~dp0"
set "config=%CONFIG_PATH%"
set "rebuild="
set "server_args="
set "no_ports="
set "probing="

:next_argument
if "%~1"=="" goto arguments_read
if /i "%~1"=="--docker" goto argument_done
if /i "%~1"=="--build" (
    set "rebuild=yes"
    goto argument_done
)
if /i "%~1"=="--config" (
    if "%~2"=="" (
        echo launch: --config needs a file>&2
        exit /b 1
    )
    set "config=%~f2"
    shift
    goto argument_done
)
if /i "%~1"=="--native" (
    echo launch: on Windows the camera runs in a container only>&2
    exit /b 1
)
if /i "%~1"=="probe" if not defined server_args (
    set "probing=yes"
    set "no_ports=yes"
    goto argument_done
)
if /i "%~1"=="--help" call :usage
for %%o in (--check --healthcheck -h --help -V --version) do (
    if "%~1"=="%%o" set "no_ports=yes"
)
set "argument=%~1"
if "%argument:~0,8%"=="--print-" set "no_ports=yes"
set server_args=%server_args% %1
:argument_done
shift
goto next_argument

:arguments_read
docker info >nul 2>&1
if errorlevel 1 (
    echo launch: no Docker Engine answers; start Docker Desktop, then try again>&2
    exit /b 1
)

if not defined config if exist "%here%config.json" set "config=%here%config.json"
set "mount="
if not defined config goto config_chosen
for %%f in ("%config%") do set "config=%%~ff"
if not exist "%config%" (
    echo launch: cannot read the configuration "%config%">&2
    exit /b 1
)
set mount=--mount "type=bind,source=%config%,target=/app/config.json,readonly"
:config_chosen

if defined rebuild goto build
call :image_is_current
if not errorlevel 1 goto built
:build
echo launch: building the image %image%; the first time takes some minutes>&2
docker build --tag "%image%" "%here%."
if errorlevel 1 exit /b 1
:built

if not defined RTSP_PUBLIC_ADDRESSES call :host_addresses
call :variables
if defined probing goto probe

set "ports="
set "answer=%TEMP%\rtsp-clock-server-%RANDOM%%RANDOM%.txt"
docker run --rm %variables% %mount% "%image%" --print-files >"%answer%"
if errorlevel 1 (
    del "%answer%"
    exit /b 1
)
for /f "usebackq eol=| delims=" %%f in ("%answer%") do call :mount_file "%%f"
del "%answer%"

if defined no_ports goto run
docker run --rm %variables% %mount% "%image%" --print-docker-flags%server_args% >"%answer%"
if errorlevel 1 (
    del "%answer%"
    exit /b 1
)
set /p ports=<"%answer%"
del "%answer%"

rem Who asks by HTTP comes through the container's gateway: where nobody has given a token, there is one for this run.
if "%ports:RTSP_DEFAULT_HTTP_TOKEN=%"=="%ports%" goto run
for /f %%t in ('powershell -NoProfile -Command "[guid]::NewGuid().ToString('N')"') do set "RTSP_DEFAULT_HTTP_TOKEN=%%t"
for /f "tokens=3 delims=:" %%p in ("%ports:*-p 127.0.0.1=x:127.0.0.1%") do set "http_port=%%p"
echo launch: seen and steered by HTTP: http://127.0.0.1:%http_port%/#token=%RTSP_DEFAULT_HTTP_TOKEN%>&2

:run
docker run --rm --cap-drop ALL --security-opt no-new-privileges %ports% %variables% %mount% "%image%"%server_args%
exit /b %errorlevel%

rem A camera on this machine is rtsp://host.docker.internal from in there, over TCP.
:probe
docker run --rm --cap-drop ALL --security-opt no-new-privileges %variables% --mount "type=bind,source=%CD%,target=/data" --workdir /data --entrypoint rtsp-clock-probe "%image%"%server_args%
exit /b %errorlevel%

:usage
echo Usage: launch.bat [--build] [--config FILE] [SERVER OPTION...]
echo        launch.bat [--build] probe [PROBE OPTION...] URL...
echo.
echo   --build        build the image even if it is up to date
echo   --config FILE  the configuration; without it %%CONFIG_PATH%%, else the config.json beside launch.bat
echo.
echo RTSP_* variables reach the server and override the file, and so does TZ, the clock's time zone
echo (TZ=Europe/Berlin, say; without it the clock shows UTC). The server sees the files that either names. All else
echo is passed on to it; quote what has an equals sign in it:
echo.
exit /b 0

rem An image is current when no source is younger than it.
:image_is_current
docker image inspect "%image%" >nul 2>&1
if errorlevel 1 exit /b 1
powershell -NoProfile -Command "$made = [datetime](docker image inspect --format '{{.Created}}' $env:image); $here = $env:here; $sources = Get-Content -LiteralPath ($here + '.dockerignore') | Where-Object { $_ -like '!*' } | ForEach-Object { $here + $_.Substring(1) }; $sources += $here + 'Dockerfile'; $newer = Get-ChildItem -LiteralPath $sources -Recurse -File | Where-Object { $_.LastWriteTime -gt $made -and $_.FullName.Substring($here.Length) -notmatch '\\tests\\' }; exit [int][bool]$newer"
exit /b %errorlevel%

rem What the server cannot see from inside a container: the addresses of this machine.
:host_addresses
set "RTSP_PUBLIC_ADDRESSES=localhost"
for /f "usebackq delims=" %%a in (`powershell -NoProfile -Command "(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -notlike '127.*' -and $_.IPAddress -notlike '169.254.*' -and $_.InterfaceAlias -notlike 'vEthernet*' }).IPAddress -join ' '"`) do set "RTSP_PUBLIC_ADDRESSES=localhost %%a"
exit /b 0

rem %1: where the server looks for a file that the configuration names. What is no path for Linux it takes for one below
rem its directory, /app: /app/C:\logo.png, /app/tls\key.pem. One that is not there the server complains about itself.
:mount_file
set "file=%~1"
if "%file:~0,5%"=="/app/" set "file=%file:~5%"
for %%f in ("%file%") do set "source=%%~ff"
if not exist "%source%" exit /b 0
if exist "%source%\*" exit /b 0
set mount=%mount% --mount "type=bind,source=%source%,target=%~1,readonly"
exit /b 0

rem The variables go by name: no password gets into a list of processes.
:variables
set "variables=-e TZ -e RUST_LOG -e GST_DEBUG"
for /f "delims==" %%v in ('set RTSP_ 2^>nul') do call set "variables=%%variables%% -e %%v"
exit /b 0

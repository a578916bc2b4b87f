from tests.core.cli.shells import *


def test_x(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    print(shell("sync").output)
    print(shell("claims").output)
    print(shell("propose").output)
    print(shell("approve", "--all", input="y\n").output)
    for m in town.world.gcollect.pending_mandates():
        town.world.gcollect.sign_mandate(m, name="Camille", email="c@example.org")
    print(shell("nightly").output)
    print(shell("procedures").output)
    print(shell("effects").output)
    print(shell("explain", "F-1").output)
    print(shell("doctor").output)
    assert 0

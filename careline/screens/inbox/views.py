from django.shortcuts import render


def show_soon(request, workspace):  # type: ignore
    return render(request, "chooser.html", {"workspaces": []})
